/** HTTP to servers of others, as far as all of them are asked alike. */
export { type JsonRequest, openConnection, sendJson } from './connection.js';
export {
  type Answer,
  AnswerTooLarge,
  ConnectionEnded,
  HttpRefusal,
  type LongQuestion,
  type Question,
  Server,
  type ServerOptions,
  type Tls,
  Unanswered,
} from './server.js';
