// SPDX-License-Identifier: MIT
/** Text of unbounded length, of which the beginning and the end are kept. */
export class CappedText {
  readonly #half: number;
  #head = '';
  #tail = '';
  #dropped = 0;

  /** `limit`: characters kept in all. */
  constructor(limit: number) {
    this.#half = Math.floor(limit / 2);
  }

  add(text: string): void {
    const room = this.#half - this.#head.length;
    if (room > 0) {
      this.#head += text.slice(0, room);
      text = text.slice(room);
    }
    this.#tail += text;
    // Cut rarely: a long tail is copied each time.
    if (this.#tail.length > 2 * this.#half) this.#cut();
  }

  #cut(): void {
    const excess = this.#tail.length - this.#half;
    if (excess <= 0) return;
    this.#dropped += excess;
    this.#tail = this.#tail.slice(excess);
  }

  toString(): string {
    this.#cut();
    return this.#dropped === 0 ? this.#head + this.#tail : `${this.#head}\n... ${this.#dropped} characters left out\n${this.#tail}`;
  }
}
