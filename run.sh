#!/usr/bin/env bash
# Replicates a DynamoDB table: ./run.sh replication.properties [--setting value ...]; ./run.sh help tells the rest.
# The first run sets everything up; later ones go straight on. It ends in exec, so a signal to this process id is one
# to the daemon.
set -euo pipefail

root="$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)"

# Whatever a shell has set: what set-up makes is run, and a start refuses what every user can write.
umask o-w

# In the locale of C neither Java nor Python takes a path with other letters than ASCII's, such as that of a home may have.
case "${LC_ALL:-${LC_CTYPE:-${LANG:-C}}}" in C | POSIX) [[ "$root" != *[!\ -~]* ]] || export LC_ALL=C.UTF-8 ;; esac

# Only a replication makes anything anew; a command beside one uses what that runs on.
case "${1:-}" in
    completion | help | -h | --help | --version) "$root/setup.sh" --beside python ;;
    check | console | copy | policy | preview | redrive | status | unmark | verify) "$root/setup.sh" --beside python jars archive ;;
    *) "$root/setup.sh" python jars archive ;;
esac
exec "$root/.venv/bin/python3" -I -m processor "$@"
