import type { Catalog } from './catalog.ts'
import type { Config } from './config.ts'

/**
 * Checks a config whole and indexes it.
 * @throws Problem `CONFIG_INVALID` (usage) with the key and place of the first mistake
 */
export declare function loadCatalog(config: Config): Catalog
