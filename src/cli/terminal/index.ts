/** What a command says to whoever called it: answers as tables or JSON, figures as people read them, what is going on. */
export { confirmed } from './confirm.js';
export { bytes, duration, latency, orDash, peerName, share } from './format.js';
export { hasColours, pairs, print, printList, table } from './output.js';
export { showProgress } from './progress.js';
export { qrCode, qrCodeHere } from './qr.js';
export { watchStreams, write } from './streams.js';
