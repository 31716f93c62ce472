#!/usr/bin/env node
// Not dist/bin.js itself: npm links a workspace's program at install, when a fresh clone has no dist yet.
import '../dist/bin.js'
