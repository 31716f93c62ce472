import type { ShellValue } from '@deployfile/core'
import { expect, test } from 'vitest'
import { compose } from '../../src/command/template.ts'

const sh = (strings: TemplateStringsArray, ...values: ShellValue[]): string => compose(strings, values)

test('values are words, arrays several', () => {
  expect(sh`ln -s ${'a b'} ${['x', 2]} --n=${true}`).toBe("ln -s 'a b' 'x' '2' --n='true'")
})

test('backslashes are the shell’s; only the backtick and ${ need one for JavaScript', () => {
  expect(sh`find . -name \*.rb -exec rm {} \;`).toBe('find . -name \\*.rb -exec rm {} \\;')
  expect(sh`tr '\0' '\n'; echo \$HOME \\`).toBe("tr '\\0' '\\n'; echo \\$HOME \\\\")
  expect(sh`echo \`date\` \${HOME:-none}`).toBe('echo `date` ${HOME:-none}')
})

test.each([
  ["single quotes, which a value's own would end", () => sh`psql -c 'select ${'x'}'`],
  ['double quotes', () => sh`echo "hello ${'x'}"`],
  ['double quotes inside a substitution', () => sh`echo $(printf "%s ${'x'}")`],
  ['quotes that began before another value', () => sh`echo ${'a'} "b ${'c'}"`],
])('refuses a value between %s', (_, make) => {
  expect(make).toThrow(/puts value \d between quotes/)
})

test.each([
  ['after quotes', () => sh`echo "it's" ${'x'}`, `echo "it's" 'x'`],
  ['in a substitution between quotes', () => sh`echo "$(cat ${'x'})"`, `echo "$(cat 'x')"`],
  ['after a comment with an apostrophe', () => sh`# don't\necho ${'x'}`.replace('\\n', '\n'), undefined],
  ['after an escaped quote', () => sh`echo \" ${'x'}`, `echo \\" 'x'`],
  ['in a case of a substitution', () => sh`x=$(case a in (a) echo ${'y'} ;; esac) ${'z'}`, undefined],
])('takes a value %s', (_, make, text) => {
  if (text === undefined) expect(make()).toMatch(/'[xyz]'/)
  else expect(make()).toBe(text)
})

test.each([undefined, null, {}, NaN, Symbol.iterator])('refuses %s as a value', (value) => {
  expect(() => sh`echo ${value as string}`).toThrow(/the command `echo…` has \w+ as value 1/)
})
