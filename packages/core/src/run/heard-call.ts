/**
 * A call as its body gets it. It knows whether anybody has looked at how it ended: the failure of one that nobody waits for must
 * neither be lost nor end the process.
 */
export class HeardCall<T> extends Promise<T> {
  #heard = false

  static of<T>(call: Promise<T>): HeardCall<T> {
    return new HeardCall((resolve, reject) => {
      call.then(resolve, reject)
    })
  }

  // What is made of it by then, catch and finally is a plain promise.
  static override get [Symbol.species](): PromiseConstructor {
    return Promise
  }

  override then<A = T, B = never>(
    fulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#heard = true
    return super.then(fulfilled, rejected)
  }

  /** Tells of a failure that nobody looks at. */
  onUnheard(tell: (reason: unknown) => void): void {
    void super.then(undefined, (reason: unknown) => {
      if (!this.#heard) tell(reason)
    })
  }
}
