// Pins the module that Gateway API's definitions are read from; nothing of it is compiled.
module modelyard.example/gatewayapi

go 1.26.6

require sigs.k8s.io/gateway-api v1.6.3
