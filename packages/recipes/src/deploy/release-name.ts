const NAME = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})$/

/** Capistrano's `%Y%m%d%H%M%S` in UTC. */
export function releaseName(time: Date): string {
  return time
    .toISOString()
    .replace(/\.\d+Z$/, '')
    .replaceAll(/\D/g, '')
}

/** The time that a name stands for; undefined where it stands for none (`20261399000000`). */
export function releaseTime(name: string): Date | undefined {
  const [, year, month, day, hour, minute, second] = (NAME.exec(name) ?? []).map(Number)
  if (year === undefined || month === undefined) return undefined
  const time = new Date(Date.UTC(year, month - 1, day, hour, minute, second))
  return releaseName(time) === name ? time : undefined
}

/**
 * The name of a new release: now, but later than every name that is taken, so that order by name stays order by age when two deploys
 * fall into one second or the clock of the last deployer was ahead.
 */
export function nextReleaseName(now: Date, taken: readonly string[]): string {
  const newest = taken.map(releaseTime).reduce((latest, time) => Math.max(latest, time?.getTime() ?? 0), 0)
  return releaseName(new Date(Math.max(now.getTime(), newest + 1000)))
}
