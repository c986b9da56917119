#!/bin/bash
set -euxo pipefail

dnf install -y postgresql16 awscli-2

# RDS's certificate authorities, for connections that verify the server.
install -d /etc/pki/rds
curl -fsS --retry 10 --retry-all-errors -o /etc/pki/rds/global-bundle.pem https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem
