#!/usr/bin/env bash
# test_zalo_steps.sh - one round of zalo_steps.sh: 28 deliveries die between two steps, each at its own.
exec "$(dirname "${BASH_SOURCE[0]}")/zalo_steps.sh" 1
