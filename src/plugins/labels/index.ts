/** Containers that are attached because their labels say so, in whatever engine tells its containers' labels. */
export { LabelledContainers } from './labelled-containers.js';
export { ownLabels } from './labels.js';
