/** What is shown of a selection. */
export interface Details {
  readonly title: string;
  readonly element: HTMLElement;
  /** The mesh is another one. */
  update(): void;
  recolour(): void;
  end(): void;
}
