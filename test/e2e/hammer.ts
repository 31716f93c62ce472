export interface Hammer {
  /** In their order, `<status> <body>` or an error's text; of equal ones that follow each other the first. */
  readonly answers: readonly string[]
  stop(): Promise<readonly string[]>
}

/** Asks a URL again and again, one request after the other, until it is told to stop. */
export function hammer(url: string): Hammer {
  const answers: string[] = []
  let isOver = false
  const ask = async (): Promise<void> => {
    while (!isOver) {
      const answer = await fetch(url, { headers: { connection: 'close' } }).then(
        async (response) => `${String(response.status)} ${await response.text()}`,
        (error: unknown) => String(error),
      )
      if (answers.at(-1) !== answer) answers.push(answer)
    }
  }
  const asking = ask()
  return {
    answers,
    async stop() {
      isOver = true
      await asking
      return answers
    },
  }
}
