environment = "stg"
title       = "Terrace (staging)"
replicas    = 2

pages = {
  about = "This page is rendered from a template."
  terms = "Whoever reads this is staging."
}
