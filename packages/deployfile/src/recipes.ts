export * from '@deployfile/recipes'
