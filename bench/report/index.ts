export { renderPlot } from './plot.js';
export { renderReport } from './report.js';
export { judge } from './verdicts.js';
