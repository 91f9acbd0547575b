environment = "dev"
title       = "Terrace (development)"
token_days  = 7

pages = {
  about = "This page is rendered from a template."
}
