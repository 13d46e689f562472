#!/bin/sh
# Runs workerd, and first records its process id and start (process-records.ts). `exec` keeps both.
if [ -n "$STEPLEDGER_PROCESSES" ]; then
  start=$(sed 's/.*) //' "/proc/$$/stat" 2>/dev/null | cut -d ' ' -f 20)
  [ -n "$start" ] || start=$(LC_ALL=C TZ=UTC ps -o lstart= -p $$)
  # Under its name, the file is never empty.
  echo "$start" > "$STEPLEDGER_PROCESSES/$$.new"
  mv "$STEPLEDGER_PROCESSES/$$.new" "$STEPLEDGER_PROCESSES/$$"
fi
exec "$STEPLEDGER_WORKERD" "$@"
