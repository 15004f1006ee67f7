import type { Labels } from '../../labels.js';
import type { ScheduledPod } from './scheduler.js';

/** By which a runtime says which pod a container is of. */
const UID_LABEL = 'io.kubernetes.pod.uid';

/** An interface that may be a pod's. */
export interface Candidate {
  readonly addresses: readonly string[];
  readonly labels: Labels;
  /** It is on this host, whose runtime said which pod it is of. */
  readonly isOurs: boolean;
}

/**
 * Finds the pod of an interface. By its uid, which no other pod ever has, where our own runtime said it; what other hosts say counts where the scheduler
 * says the same. Else by its address, which may have been another pod's before: of several that live it is the newest one's.
 */
export class ScheduledPods {
  readonly #byUid = new Map<string, ScheduledPod>();
  readonly #byAddress = new Map<string, ScheduledPod>();

  constructor(pods: Iterable<ScheduledPod>) {
    for (const pod of pods) {
      this.#byUid.set(pod.uid, pod);
      for (const address of pod.addresses) {
        const other = this.#byAddress.get(address);
        if (other === undefined || isNewer(pod, other)) this.#byAddress.set(address, pod);
      }
    }
  }

  find({ addresses, labels, isOurs }: Candidate): ScheduledPod | undefined {
    const { [UID_LABEL]: uid } = labels;
    if (isOurs && uid !== undefined) return this.#byUid.get(uid);
    const found = addresses.map((address) => this.#byAddress.get(address)).find((pod) => pod !== undefined);
    return uid === undefined || found?.uid === uid ? found : undefined;
  }

  /** Those at addresses that none of the interfaces has, which were not heard of yet, each with its addresses. */
  elsewhere(isKnown: (address: string) => boolean): ScheduledPod[] {
    const addresses = new Map<ScheduledPod, string[]>();
    for (const [address, pod] of this.#byAddress) {
      if (!isKnown(address)) addresses.set(pod, [...(addresses.get(pod) ?? []), address]);
    }
    return [...addresses].map(([pod, own]) => ({ ...pod, addresses: own }));
  }
}

/** That two were made in one moment is decided by their uids, the same way everywhere. */
function isNewer(pod: ScheduledPod, other: ScheduledPod): boolean {
  return pod.createdAt === other.createdAt ? pod.uid > other.uid : pod.createdAt > other.createdAt;
}
