import type { OwnedRecords } from '../../gossip/index.js';
import type { PeerId } from '../../identity/index.js';
import type { MemberView, Mesh } from '../../mesh/index.js';

/** Has all routers hear our records, and us theirs, those of members that left or were forgotten aside. The result ends it. */
export function shareRecords<T>(mesh: Mesh, records: OwnedRecords<T>): () => void {
  const channel = mesh.openChannel(records);
  const onPending = () => channel.changed();
  const onForgotten = (peer: PeerId) => records.dropOwner(peer);
  const onMember = ({ peer, left }: MemberView) => {
    if (left) records.dropOwner(peer);
  };
  records.on('pending', onPending);
  mesh.on('member', onMember);
  mesh.on('forgotten', onForgotten);
  return () => {
    records.off('pending', onPending);
    mesh.off('member', onMember);
    mesh.off('forgotten', onForgotten);
    channel.close();
  };
}
