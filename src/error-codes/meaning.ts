/** What a code stands for, to programs and to people. */
export interface ErrorMeaning {
  /** HTTP status of the API's answer. */
  readonly status: number;
  /** Exit code of the command: 1 failed, 2 wrong usage, 3 no router is running, 4 one is running already. */
  readonly exit: 1 | 2 | 3 | 4;
  readonly meaning: string;
  readonly remedy: string;
}

export const kind =
  (status: number, exit: ErrorMeaning['exit']) =>
  (meaning: string, remedy: string): ErrorMeaning => ({ status, exit, meaning, remedy });

/** What was asked for makes no sense. */
export const usage = kind(400, 2);
/** What was asked for makes sense, but not here. */
export const refused = kind(400, 1);
export const forbidden = kind(403, 1);
export const absent = kind(404, 1);
export const conflict = kind(409, 1);
export const failed = kind(500, 1);
export const unavailable = kind(503, 1);

/** Of messages that other routers send. They are dropped, counted and logged; no user caused them. */
export const dropped = (meaning: string) =>
  failed(meaning, 'None is needed unless it goes on: then update or expel the router that the log names.');
/** Of links to other routers, which are made again. */
export const retried = (meaning: string) => failed(meaning, 'None: the router tries again.');
