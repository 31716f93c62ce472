const UNITS = ['B', 'kB', 'MB', 'GB', 'TB']

/** `4.1 MB`, in powers of 1000 as disks are sold and `ls --si` shows. */
export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit] ?? ''}`
}

/** `3.4 s`, `12 min 5 s`. */
export function formatSeconds(milliseconds: number): string {
  const tenths = Math.round(milliseconds / 100)
  if (tenths < 600) return `${tenths / 10} s`
  const seconds = Math.round(tenths / 10)
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

/** `1 table`, `23 tables`. */
export function countTables(tables: number): string {
  return `${tables} table${tables === 1 ? '' : 's'}`
}
