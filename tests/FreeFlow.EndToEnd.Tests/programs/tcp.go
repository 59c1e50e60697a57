// One TCP connection to itself over loopback, by raw system calls, as every Go program makes them.
package main

import (
	"os"
	"syscall"
)

func must(err error) {
	if err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
}

func main() {
	listener, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	must(err)
	must(syscall.Bind(listener, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	must(syscall.Listen(listener, 1))
	address, err := syscall.Getsockname(listener)
	must(err)
	client, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	must(err)
	must(syscall.Connect(client, address))
	server, _, err := syscall.Accept(listener)
	must(err)
	_, err = syscall.Write(client, []byte("hello"))
	must(err)
	buffer := make([]byte, 16)
	n, err := syscall.Read(server, buffer)
	must(err)
	os.Stdout.WriteString(string(buffer[:n]) + "\n")
	os.Exit(7)
}
