/** What AsyncDisposableStack does, which Node 22 does not have: disposes of what was opened, last first. */
export class DisposalStack implements AsyncDisposable {
  #steps: (() => unknown)[] = [];

  /** Disposes of a value with the stack. */
  use<T extends AsyncDisposable>(value: T): T {
    this.defer(() => value[Symbol.asyncDispose]());
    return value;
  }

  defer(step: () => unknown): void {
    this.#steps.push(step);
  }

  /** Hands all that is open to a new stack, which disposes of it later. */
  move(): DisposalStack {
    const moved = new DisposalStack();
    moved.#steps = this.#steps;
    this.#steps = [];
    return moved;
  }

  async disposeAsync(): Promise<void> {
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) await step();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.disposeAsync();
  }
}
