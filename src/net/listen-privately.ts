/** Makes a socket's file with mode 0600 in the first place: there is no moment at which others could connect. */
export async function listenPrivately(listen: () => Promise<unknown>): Promise<void> {
  const previous = process.umask(0o177);
  try {
    await listen();
  } finally {
    process.umask(previous);
  }
}
