/** What the labels of containers say, in whatever engine tells them: that they are attached, and what others are to know of them. */
export { LabelledContainers } from './labelled-containers.js';
export { carriedLabels, ownLabels } from './labels.js';
