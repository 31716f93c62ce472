import { jsonRenderer, silentRenderer } from '../render/json.ts'
import { plainRenderer } from '../render/plain.ts'
import type { RenderContext, Renderer } from '../render/renderer.ts'
import type { CommandLine } from './command-line.ts'
import { isCi } from './terminal.ts'

type Asked = Pick<CommandLine, 'renderer' | 'quiet'>
type Seen = Pick<RenderContext, 'output'> & { readonly run: Pick<RenderContext['run'], 'dryRun'> }

/** How a run is shown. A tree needs a terminal that can move its cursor; without one, 'tree' is 'plain' as well. */
export function rendererName(
  { renderer, quiet }: Asked,
  env: NodeJS.ProcessEnv,
  { output: { isTTY }, run }: Seen,
): 'tree' | 'plain' | 'json' | 'github' | 'silent' {
  if (renderer === 'json') return 'json'
  if (quiet) return 'silent'
  const auto = renderer === 'auto'
  // A step of GitHub Actions has no terminal; its pages fold groups and show annotations.
  if (renderer === 'github' || (auto && env['GITHUB_ACTIONS'] === 'true' && isTTY !== true)) return 'github'
  const able = isTTY === true && env['TERM'] !== 'dumb'
  // What a dry run would do on each host is what was asked for; rows of a tree have room for the last line.
  const lines = renderer === 'plain' || (auto && (run.dryRun === true || isCi(env)))
  return able && !lines ? 'tree' : 'plain'
}

export async function chooseRenderer(
  line: Asked,
  env: NodeJS.ProcessEnv,
  context: RenderContext,
): Promise<Renderer> {
  const name = rendererName(line, env, context)
  if (name === 'json') return jsonRenderer(context.output)
  if (name === 'silent') return silentRenderer
  if (name === 'plain') return plainRenderer(context)
  if (name === 'github') {
    const { githubRenderer } = await import('../render/github.ts')
    return githubRenderer(context, env['GITHUB_STEP_SUMMARY'])
  }
  // listr2 is loaded only where it draws.
  const { treeRenderer } = await import('../render/tree.ts')
  return treeRenderer(context)
}
