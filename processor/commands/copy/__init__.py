"""``run.sh copy``: what the source table holds, written to the destination, so that replication can go on from there.

==============  ======================================================================================================
``command``     the face: preflight, plan, progress, exit status
``plan``        what it will cost and how long it will take: ``sample``, ``write_cost``, ``estimate``, ``prices``
``remeasure``   what the first writes show of that
``occupant``    whose items the destination holds before the first write
``job``         one run: which copy it is, nobody else's, its segments side by side
``segment``     one segment's path: scan → write → (beside a replication: look again) → progress kept
``deadline``    not for longer than the stream keeps what was written meanwhile
``pace``        how fast: capacity units a second
``state``       the rows that a killed copy goes on from, on this machine or another
``following``   that a replication came after it
``holder``      that no two machines run the same copy
==============  ======================================================================================================
"""
