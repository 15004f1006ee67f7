/** What is beside the picture: more about what somebody chose, curves, and events. */
export { CurveView } from './curves.js';
export { EventList } from './events.js';
export { Panel } from './panel.js';
