"""Timeouts, intervals and time budgets of the service, in seconds, in one table.

What an operator may set is in `service.settings`; this is what is the same everywhere. The string
below each number says what it decides, and stands in docs/operations.md (a test holds the two
equal); the comments say why it is that number. Imports nothing, so every room may import it.
"""

# gunicorn and its worker

WORKER_HEARTBEAT_TIMEOUT_S = 30
"""gunicorn's master kills a worker whose main loop is silent for so long, and starts another"""

FIRST_SCAN_TIMEOUT_S = 20.0
"""how long the start waits for the models that are there; then it says that they are loading"""
# Below the heartbeat's timeout, for the main loop does not run meanwhile.

FIRST_SCAN_CHECK_S = 0.1
"""between looks, during the start, whether the service was told to stop"""

DEADLINE_CHECK_S = 0.25
"""between looks at the deadlines of connections, and between two heartbeats at most"""

ACCEPT_RETRY_S = 0.025
"""pause of the main loop when no descriptor is left for a client that connects"""

KEEP_ALIVE_S = 75
"""a connection that is kept open after an answer is closed after so long without a request"""
# It costs a descriptor; longer than proxies and clients keep idle connections.

WRITE_TIMEOUT_S = 20.0
"""a client that takes nothing of an answer (of a large one 64 KB) for so long is cut off"""

ANSWER_MARGIN_S = 60.0
"""beyond `STROPHE_MAX_SECONDS`, for a slow client to take the end of an answer"""

LINGER_S = 2.0
"""after the last answer of a connection, for the client to take it and to close"""

DRAIN_KEEP_ALIVE_S = 2.0
"""a service that stops keeps idle and half-sent connections so long, for a request on its way"""

DRAIN_LAST_WRITES_S = 2.0
"""of the grace time, from the end of the texts that still run, for their last events to be sent"""

DRAIN_EXIT_S = 1.0
"""of the grace time, from the cut of the last connections, for the process to end by itself"""

# Access

PERMIT_WAIT_S = 0.1
"""a client with too many texts waits so long for one of its own to end before it gets 429"""
# A client that has read the end of an answer may be back before its permit is free.

PREFLIGHT_VALID_S = 600
"""a browser may keep the answer to a preflight for so long"""

RATE_STORAGE_TIMEOUT_S = 1
"""a request waits no longer for a storage of rates that is gone"""

MAX_RATE_STORAGE_PAUSE_S = 32.0
"""a storage of rates that is gone is looked for after pauses that double, up to so long"""

# Models

STORE_CHECK_S = 0.1
"""between looks, during the start, whether what lies in a store was fetched"""

# Responses

RETRY_AFTER_S = 1
"""the header Retry-After of a 503, and of a 429 for too many texts at once"""

CLIENT_CHECK_S = 0.25
"""between looks whether a client that waits for a text is still there"""

STREAM_PING_S = 5.0
"""a stream of events sends a comment when it has sent nothing for so long"""

STREAM_PROGRESS_S = 1.0
"""a stream of events tells so often how far its prompt is read"""

HEADERS_AFTER_S = 5.0
"""plain text waits so long for its first piece, to answer a failure by its status code"""

# The engine

TICK_TARGET_S = 0.02
"""what the steps of one tick may take: a tick has as many as fit"""

FEEDING_BUDGET_S = 0.01
"""prompts are read for so long between two steps, and a third of the time at most, beside texts"""

FEEDING_BUDGET_ALONE_S = 0.05
"""prompts are read for so long between two looks at the queue while no text is being written"""

COMPOSING_BUDGET_S = 0.02
"""poems are composed for so long between two steps, and half of the time at most, beside texts"""

COMPOSING_BUDGET_ALONE_S = 0.02
"""poems are composed for so long between two looks at the queue while no text is being written"""

ENGINE_IDLE_WAIT_S = 0.25
"""an engine without work looks so often whether it is to end"""

STALLED_AFTER_S = 15.0
"""an engine that has begun no tick for so long makes no progress: `/readyz` says 503"""
# A tick takes milliseconds.

FLUSH_INTERVAL_S = 0.03
"""between two pieces of one stream, at least"""

FLUSH_INTERVAL_PER_READER_S = 0.0005
"""the same for each reader of a stream, where that is more: 2,000 pieces a second in all"""

# Threads and observability

THREAD_STOP_TIMEOUT_S = 5.0
"""the end of the process waits so long for the engine's thread, and for that of the models"""

OPS_ANSWER_S = 10.0
"""a client of the ops port has so long in all, however slowly it sends or reads"""

OPS_CHECK_S = 0.1
"""the ops listener looks so often at who is too slow, and whether it is to end"""

SPAN_FLUSH_S = 2.0
"""the end of the process waits so long for a collector of spans"""

LOG_REPEAT_S = 600.0
"""a warning that a library repeats is logged once in so long"""
