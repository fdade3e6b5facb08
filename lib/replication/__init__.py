"""The replication of Gao et al.: everything behind the tables, figures and claims of the paper."""
