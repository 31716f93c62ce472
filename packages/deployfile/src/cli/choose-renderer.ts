import { jsonRenderer, silentRenderer } from '../render/json.ts'
import { plainRenderer } from '../render/plain.ts'
import type { RenderContext, Renderer } from '../render/renderer.ts'
import type { CommandLine } from './command-line.ts'
import { isCi } from './terminal.ts'

/** A tree needs a terminal that can move its cursor; without one, 'tree' is 'plain' as well. */
export async function chooseRenderer(
  line: Pick<CommandLine, 'renderer' | 'quiet'>,
  env: NodeJS.ProcessEnv,
  context: RenderContext,
): Promise<Renderer> {
  if (line.renderer === 'json') return jsonRenderer(context.output)
  if (line.quiet) return silentRenderer
  // A step of GitHub Actions has no terminal; its pages fold groups and show annotations.
  const onGitHub =
    line.renderer === 'auto' && env['GITHUB_ACTIONS'] === 'true' && context.output.isTTY !== true
  if (line.renderer === 'github' || onGitHub) {
    const { githubRenderer } = await import('../render/github.ts')
    return githubRenderer(context, env['GITHUB_STEP_SUMMARY'])
  }
  const able = context.output.isTTY === true && env['TERM'] !== 'dumb'
  // What a dry run would do on each host is what was asked for; rows of a tree have room for the last line.
  const lines = line.renderer === 'plain' || (line.renderer === 'auto' && context.run.dryRun === true)
  if (!able || lines || (line.renderer === 'auto' && isCi(env))) return plainRenderer(context)
  // listr2 is loaded only where it draws.
  const { treeRenderer } = await import('../render/tree.ts')
  return treeRenderer(context)
}
