variable "s" { type = string }
variable "n" { type = number }
variable "b" { type = bool }
variable "ls" { type = list(string) }
variable "ln" { type = list(number) }
variable "ms" { type = map(string) }
variable "mn" { type = map(number) }
variable "ss" { type = set(string) }
variable "sn" { type = set(number) }
variable "o" { type = object({ a = string, b = number }) }
variable "t" { type = tuple([string, number]) }
variable "d" { type = any }
variable "lo" { type = list(object({ a = string, b = number })) }
variable "ll" { type = list(list(string)) }
variable "nn" {
  type     = string
  nullable = false
}
variable "ks" {
  type      = string
  default   = "secret"
  sensitive = true
}
variable "kl" {
  type      = list(string)
  default   = ["b", "a"]
  sensitive = true
}
variable "km" {
  type      = map(string)
  default   = { x = "1", y = "2" }
  sensitive = true
}
variable "kn" {
  type      = number
  default   = 5
  sensitive = true
}
