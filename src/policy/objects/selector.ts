import type { Labels } from '../../labels.js';

/** One condition on the labels of an object. `In` and `NotIn` have values; an object without the label is not in any of them. */
export interface Requirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values: readonly string[];
}

/** All of these must hold; without any, everything is selected. */
export type Selector = readonly Requirement[];

export function selects(selector: Selector, labels: Labels): boolean {
  return selector.every((requirement) => holds(requirement, labels));
}

function holds({ key, operator, values }: Requirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
  }
}

/** As people read it: `app=web`, `tier in (a, b)`, `!old`; `all` where nothing is required. */
export function selectorText(selector: Selector): string {
  return selector.length === 0 ? 'all' : selector.map(requirementText).join(', ');
}

function requirementText({ key, operator, values }: Requirement): string {
  const [only] = values;
  switch (operator) {
    case 'In':
      return values.length === 1 ? `${key}=${only}` : `${key} in (${values.join(', ')})`;
    case 'NotIn':
      return `${key} not in (${values.join(', ')})`;
    case 'Exists':
      return key;
    case 'DoesNotExist':
      return `!${key}`;
  }
}
