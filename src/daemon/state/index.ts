/** What is on the disk: files, directories and locks of a router. */
export {
  type ChosenSettings,
  type LaunchRequest,
  parseLaunchRequest,
  type Settings,
  settle,
} from './launch-request.js';
export { type Lock, lockHolder, lockRunDir, lockStateDir } from './lock.js';
export {
  checkRunDir,
  makeDirectory,
  type RunNote,
  readRunNote,
  removeRunFiles,
  writeRunNote,
} from './run-dir.js';
export {
  type Called,
  rememberState,
  removeState,
  type StateFiles,
  type StoredAttachment,
  type StoredExposure,
  type StoredMember,
  type StoredName,
  type StoredTrust,
  stateFiles,
} from './state-files.js';
