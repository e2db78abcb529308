// A client of exec, attach and port-forward as kubectl is one: the published executors, joined to this program's own streams.
//
//	streams process [-transport spdy|v5|v4] [-ca FILE] [-stdin] [-tty] [-sizes 80x24,100x40] URL
//	streams forward [-transport spdy|tunnel] [-ca FILE] URL LOCAL:REMOTE...
//
// -ca names the certificates that a server is believed by; without it a server's is not looked at, as the kubelet does not.
// process ends with the remote exit code, or 125 and a message; forward prints the addresses it listens at and ends with its stdin.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"k8s.io/apimachinery/pkg/util/httpstream"
	"k8s.io/apimachinery/pkg/util/remotecommand"
	restclient "k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	client "k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/client-go/util/exec"
)

func main() {
	if len(os.Args) < 2 {
		fail(errors.New("say process or forward"))
	}
	var err error
	switch os.Args[1] {
	case "process":
		err = process(os.Args[2:])
	case "forward":
		err = forward(os.Args[2:])
	default:
		err = fmt.Errorf("no such command: %s", os.Args[1])
	}
	var exit exec.CodeExitError
	if errors.As(err, &exit) {
		os.Exit(exit.Code)
	}
	if err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "streams:", err)
	os.Exit(125)
}

func process(args []string) error {
	flags := flag.NewFlagSet("process", flag.ExitOnError)
	transport := flags.String("transport", "spdy", "spdy, v5 or v4")
	stdin := flags.Bool("stdin", false, "send stdin")
	tty := flags.Bool("tty", false, "a terminal")
	sizes := flags.String("sizes", "", "terminal sizes to send")
	ca := flags.String("ca", "", "certificates to believe")
	flags.Parse(args)
	address := flags.Arg(0)

	executor, err := executor(*transport, address, trust(*ca))
	if err != nil {
		return err
	}
	options := client.StreamOptions{Stdout: os.Stdout, Tty: *tty}
	if !*tty {
		options.Stderr = os.Stderr
	}
	if *stdin {
		options.Stdin = os.Stdin
	}
	if *sizes != "" {
		options.TerminalSizeQueue = &queue{strings.Split(*sizes, ",")}
	}
	return executor.StreamWithContext(context.Background(), options)
}

func trust(ca string) *restclient.Config {
	return &restclient.Config{TLSClientConfig: restclient.TLSClientConfig{CAFile: ca, Insecure: ca == ""}}
}

func executor(transport, address string, config *restclient.Config) (client.Executor, error) {
	switch transport {
	case "v5":
		return client.NewWebSocketExecutorForProtocols(config, "GET", address, remotecommand.StreamProtocolV5Name)
	case "v4":
		return client.NewWebSocketExecutorForProtocols(config, "GET", address, remotecommand.StreamProtocolV4Name)
	}
	parsed, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	return client.NewSPDYExecutor(config, "POST", parsed)
}

// queue hands out each size once.
type queue struct{ sizes []string }

func (q *queue) Next() *client.TerminalSize {
	if len(q.sizes) == 0 {
		select {}
	}
	var size client.TerminalSize
	if _, err := fmt.Sscanf(q.sizes[0], "%dx%d", &size.Width, &size.Height); err != nil {
		fail(err)
	}
	q.sizes = q.sizes[1:]
	return &size
}

func forward(args []string) error {
	flags := flag.NewFlagSet("forward", flag.ExitOnError)
	transport := flags.String("transport", "spdy", "spdy or tunnel")
	ca := flags.String("ca", "", "certificates to believe")
	flags.Parse(args)
	address, err := url.Parse(flags.Arg(0))
	if err != nil {
		return err
	}
	dialer, err := dialer(*transport, address, trust(*ca))
	if err != nil {
		return err
	}
	stop := make(chan struct{})
	go func() {
		io.Copy(io.Discard, os.Stdin)
		close(stop)
	}()
	forwarder, err := portforward.New(dialer, flags.Args()[1:], stop, make(chan struct{}), os.Stdout, os.Stderr)
	if err != nil {
		return err
	}
	return forwarder.ForwardPorts()
}

func dialer(transport string, address *url.URL, config *restclient.Config) (httpstream.Dialer, error) {
	if transport == "tunnel" {
		return portforward.NewSPDYOverWebsocketDialer(address, config)
	}
	roundTripper, upgrader, err := spdy.RoundTripperFor(config)
	if err != nil {
		return nil, err
	}
	return spdy.NewDialer(upgrader, &http.Client{Transport: roundTripper}, "POST", address), nil
}
