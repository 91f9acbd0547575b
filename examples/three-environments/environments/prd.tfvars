environment = "prd"
title       = "Terrace"
replicas    = 3

pages = {
  about = "This page is rendered from a template."
  terms = "Use it as you like."
}
