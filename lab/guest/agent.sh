#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The agent of this machine, which keeps its state in memory: the lab's root has nothing that can be written.
export STATE_DIRECTORY=/run/vouchsafe NODE_COMPILE_CACHE=/run/compile
exec node /usr/lib/vouchsafe/vouchsafe-agent.cjs "$@"
