export function publicUrl(remote: string): string | undefined
