import { conflict, type ErrorMeaning, failed, refused, unavailable, usage } from './meaning.js';

/** Errors of the CNI plugin. Runtimes get them with a number of the specification: docs/cni.md. */
export const CNI_ERRORS = {
  'bad-cni-config': usage(
    'A network configuration of CNI cannot be read, or asks for what cannot be.',
    "Correct the field that the message names in the runtime's configuration directory.",
  ),
  'bad-cni-arguments': usage(
    'CNI_ARGS cannot be read.',
    'Give KEY=VALUE pairs with semicolons between them, and IgnoreUnknown=1 among them if there are others.',
  ),
  'cni-version': refused(
    'The version of the network configuration does not have this verb of CNI.',
    'Raise `cniVersion`: CHECK came with 0.4.0, GC and STATUS with 1.1.0.',
  ),
  'cni-changed': conflict(
    "A container's interface is not as it was added.",
    'Find out who changed it, or start the container again.',
  ),
  'cni-not-ready': unavailable('No containers can be added now.', 'See the reason in the message.'),
  'too-many-interfaces': conflict(
    'Containers of this host have as many interfaces through CNI as one host may have.',
    'Remove containers that are not used.',
  ),
  'cni-not-installed': failed(
    'The CNI plugin cannot be put where runtimes look for it.',
    'See the reason in the message, or choose other directories.',
  ),
} as const satisfies Record<string, ErrorMeaning>;
