import { conflict, type ErrorMeaning, failed, usage } from './meaning.js';

/** Errors of the Docker network plugin. */
export const DOCKER_ERRORS = {
  'bad-option': usage(
    'An option of a Docker network or container is not known to weft, or has a value that it cannot have.',
    'Leave it out, or correct what the message names.',
  ),
  'docker-socket-used': failed(
    'Another program serves the plugin socket of that name.',
    'Stop it, or run `weft docker disable` on the other router: one router of a host serves Docker.',
  ),
  'docker-used': conflict(
    'Containers are on Docker networks of weft.',
    'Stop them, or take them off with `docker network disconnect`.',
  ),
  'too-many-containers': conflict(
    'Docker has as many endpoints on weft as one host may have.',
    'Remove containers that are not used.',
  ),
  'bad-docker-config': failed(
    'The configuration of dockerd cannot be read or has no place for what is to be added.',
    'Correct the file that the message names; it was not changed.',
  ),
} as const satisfies Record<string, ErrorMeaning>;
