const WITHOUT_SERVICES = new Set(['unit', 'types'])

/** Unit and type tests start no server, so `npm test -- --project unit` must not install one. */
export function needsServices(args) {
  const projects = args.flatMap((arg, index) => {
    if (arg.startsWith('--project=')) return [arg.slice('--project='.length)]
    return arg === '--project' && args[index + 1] !== undefined ? [args[index + 1]] : []
  })
  return projects.length === 0 || projects.some((project) => !WITHOUT_SERVICES.has(project))
}
