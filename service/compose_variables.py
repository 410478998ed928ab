"""Variables that docker-compose.yml alone reads, so that a shell which exports them is no mistake.

The service lets them stand, and they have no effect on it. Knows nothing of settings.
"""

COMPOSE_VARIABLES = frozenset(
    {
        "STROPHE_CPUS",
        "STROPHE_EDGE_CPUS",
        "STROPHE_EDGE_PORT",
        "STROPHE_EDGE_TLS_PORT",
        "STROPHE_GRAFANA_PORT",
        "STROPHE_MEMORY",
        "STROPHE_POSTGRES_PASSWORD",
        "STROPHE_PROMETHEUS_PORT",
        "STROPHE_REPLICAS",
        "STROPHE_TRAIN_CPUS",
        "STROPHE_TRAIN_MEMORY",
        "STROPHE_TRAIN_TMP",
    }
)
