# boot.sh ROOT CGROUP NAMESPACE...: has the Debian in ROOT start as a machine does, by its own systemd as process 1, in the network namespace
# that this runs in. CGROUP is an empty directory of cgroup2. The network namespaces are those that it finds as /srv/NAMESPACE.
set -e
if [ "$$" != 1 ]; then
  mkdir -p "$2/machine"
  echo $$ >"$2/machine/cgroup.procs"
  exec unshare --cgroup --mount --pid --ipc --uts --fork --kill-child sh "$0" "$@"
fi

root=$1
shift 2
mount --make-rprivate /
mount --bind "$root" "$root"
cd "$root"
mount -t proc proc proc
mount -t sysfs sys sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 dev dev
mkdir dev/net dev/pts dev/shm
for device in null zero full random urandom tty net/tun; do
  touch "dev/$device"
  mount --bind "/dev/$device" "dev/$device"
done
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mount -t tmpfs -o mode=755 run run
for namespace; do
  touch "srv/$namespace"
  mount --bind "/run/netns/$namespace" "srv/$namespace"
done
mkdir run/outside
pivot_root . run/outside
umount -l /run/outside
mount --make-rshared /
exec env -i container=weft-lab PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb /sbin/init
