/** Policies as all routers have them. docs/protocol.md, "Policies". */
export { PolicyBook } from './policy-book.js';
export { checkPolicyRecord, keyOf, MAX_POLICY_BYTES, type PolicyRecord, policyRecord } from './record.js';
