// A page for each text in pages/; a real site has a generator here.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'

rmSync('dist', { recursive: true, force: true })
mkdirSync('dist')
for (const name of readdirSync('pages')) {
  const text = readFileSync(`pages/${name}`, 'utf8')
  const page = name.replace(/\.txt$/, '.html')
  writeFileSync(
    `dist/${page}`,
    `<!doctype html>\n<meta charset="utf-8">\n<title>${page}</title>\n<p>${text.trim()}</p>\n`,
  )
}
