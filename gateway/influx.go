package gateway

import (
	"context"

	"infusiond/gateway/store"
)

func (g *Gateway) runInflux(ctx context.Context, up func()) error {
	i := g.options.Config.Influx
	tc, err := tlsConfig(i.TLS)
	if err != nil {
		return err
	}
	sink, err := store.New(store.Options{
		URL: i.URL, Org: i.Org, Bucket: i.Bucket, Token: secret(i.TokenFile), TLS: tc, Insecure: i.Insecure, Log: g.options.Log,
	})
	if err != nil {
		return err
	}
	up()
	return g.runSink(ctx, sink, func(ctx context.Context) error {
		<-ctx.Done()
		sink.Close()
		return nil
	})
}
