"""A double of OpenSearch: one node on an EC2 instance, over HTTP and TLS, with documents that are really kept."""
