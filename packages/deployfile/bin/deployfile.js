#!/usr/bin/env node
// Not in dist/: npm links a workspace's command when it installs, before anything is built, and leaves out a file that is missing.
import '../dist/bin.js'
