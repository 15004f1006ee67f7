/** DNS over TCP (RFC 1035, 4.2.2): two bytes of length before each message. */

/** Cuts a stream into messages. */
export class Framing {
  #chunks: Buffer[] = [];
  #length = 0;

  /** A message has begun and is not complete. */
  get pending(): boolean {
    return this.#length > 0;
  }

  push(chunk: Buffer): Buffer[] {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    const messages: Buffer[] = [];
    for (;;) {
      const wanted = this.#wanted();
      if (this.#length < wanted) return messages;
      const whole = this.#joined();
      messages.push(whole.subarray(2, wanted));
      this.#chunks = [whole.subarray(wanted)];
      this.#length -= wanted;
    }
  }

  /** Bytes of the first message with its length. */
  #wanted(): number {
    if (this.#length < 2) return 2 + 1;
    if ((this.#chunks[0]?.length ?? 0) < 2) this.#chunks = [this.#joined()];
    return 2 + (this.#chunks[0]?.readUInt16BE(0) ?? 0);
  }

  #joined(): Buffer {
    const [first] = this.#chunks;
    return this.#chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.#chunks);
  }
}

export function frame(message: Buffer): Buffer {
  const framed = Buffer.allocUnsafe(2 + message.length);
  framed.writeUInt16BE(message.length, 0);
  message.copy(framed, 2);
  return framed;
}
