// SPDX-License-Identifier: MIT
/** Bytes cut into lines of bounded length. */

/** Gives whole lines; of one that is too long it says so once, and takes nothing more. */
export class Lines {
  readonly #limit: number;
  #pieces: Buffer[] = [];
  #waiting = 0;
  #tooLong = false;

  /** `limit`: bytes of a line without its end. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The lines that these bytes complete; null at the end where one is too long. */
  add(bytes: Buffer): (string | null)[] {
    const lines: (string | null)[] = [];
    let from = 0;
    while (!this.#tooLong) {
      const end = bytes.indexOf(10, from);
      const piece = bytes.subarray(from, end < 0 ? bytes.length : end);
      this.#waiting += piece.length;
      if (this.#waiting > this.#limit) {
        this.#tooLong = true;
        this.#pieces = [];
        lines.push(null);
        break;
      }
      if (piece.length > 0) this.#pieces.push(piece);
      if (end < 0) break;
      lines.push(Buffer.concat(this.#pieces).toString('utf8'));
      this.#pieces = [];
      this.#waiting = 0;
      from = end + 1;
    }
    return lines;
  }

  /** What has come of a line that has not ended; '' where nothing has. */
  get rest(): string {
    return Buffer.concat(this.#pieces).toString('utf8');
  }
}
