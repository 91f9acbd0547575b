#!/usr/bin/env bash
# After a build: has an environment run the image of this commit. In a workflow it follows `docker push`.
#
#   hooks/post-build.sh dev            # plan, and apply what was planned
#   hooks/post-build.sh prd            # plans; apply goes on once the gate is open
set -euo pipefail

environment="${1:?usage: hooks/post-build.sh ENVIRONMENT}"
commit="${COMMIT:-$(git rev-parse --short=12 HEAD)}"

terrace plan -env="$environment" -input=false -var="image_tag=$commit" -out="build-$environment.tfplan"
terrace apply -env="$environment" -input=false "build-$environment.tfplan"
