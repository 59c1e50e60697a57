using System.Linq;
using System.Text;
using FreeFlow.Locations.Identities;
using NUnit.Framework;

namespace FreeFlow.Locations.Tests.Identities;

/// <summary>The value of FreeFlow/v1/identities/&lt;virtualIP&gt;, byte for byte.</summary>
public sealed class IdentityTextTests
{
    private static readonly Address s_host = Read("192.168.0.1");

    [TestCase("web", "front-1", "tier=web,app=front", """{"host":"192.168.0.1","namespace":"web","name":"front-1","labels":{"app":"front","tier":"web"}}""")]
    [TestCase("web", null, "", """{"host":"192.168.0.1","namespace":"web","labels":{}}""")]
    [TestCase(null, "box", null, """{"host":"192.168.0.1","name":"box"}""")]
    [TestCase(null, null, "example.org/a=", """{"host":"192.168.0.1","labels":{"example.org/a":""}}""")]
    public void What_is_known_is_written_in_one_form_and_read_again(string? space, string? name, string? labels, string expected)
    {
        Identity identity = new(space, name, labels?.Split(',', System.StringSplitOptions.RemoveEmptyEntries).Select(label => label.Split('=')).Select(pair => System.Collections.Generic.KeyValuePair.Create(pair[0], pair[1])));
        Assert.That(Encoding.UTF8.GetString(IdentityText.Write(identity, s_host)), Is.EqualTo(expected));
        Assert.That(IdentityText.TryParse(Encoding.UTF8.GetBytes(expected), out Address host), Is.EqualTo(identity));
        Assert.That(host, Is.EqualTo(s_host));
    }

    [Test]
    public void Fields_of_later_versions_are_skipped_in_any_order()
    {
        Identity? identity = IdentityText.TryParse("""{"later":{"labels":[1,{"x":2}]},"labels":{"app":"front"},"namespace":"web","host":"fd00::9","more":null}"""u8, out Address host);
        Assert.That(identity, Is.EqualTo(new Identity("web", null, [new("app", "front")])));
        Assert.That(host, Is.EqualTo(Read("fd00::9")));
    }

    [TestCase("")]
    [TestCase("[]")]
    [TestCase("null")]
    [TestCase("{}")]
    [TestCase("""{"namespace":"web"}""")]
    [TestCase("""{"host":"127.0.0.1"}""")]
    [TestCase("""{"host":"node-1","namespace":"web"}""")]
    [TestCase("""{"host":"192.168.0.1","namespace":7}""")]
    [TestCase("""{"host":"192.168.0.1","namespace":null}""")]
    [TestCase("""{"host":"192.168.0.1","labels":["app"]}""")]
    [TestCase("""{"host":"192.168.0.1","labels":{"app":1}}""")]
    [TestCase("""{"host":"192.168.0.1","labels":{"app":"a","app":"b"}}""")]
    [TestCase("""{"host":"192.168.0.1","labels":{"app":"a"},"labels":{}}""")]
    [TestCase("""{"host":"192.168.0.1","labels":{"app":"a"}""")]
    [TestCase("""{"host":"192.168.0.1"} and more""")]
    [TestCase("{\"host\":\"192.168.0.1\",\"name\":\"\\ud800\"}")]
    public void What_cannot_be_read_says_nothing(string text) => Assert.That(IdentityText.TryParse(Encoding.UTF8.GetBytes(text), out _), Is.Null);

    [Test]
    public void A_value_without_measure_says_nothing()
    {
        string text = $$"""{"host":"192.168.0.1","namespace":"{{new string('x', 70_000)}}"}""";
        Assert.That(IdentityText.TryParse(Encoding.UTF8.GetBytes(text), out _), Is.Null);
    }

    [TestCase("app", true)]
    [TestCase("app.kubernetes.io/name", true)]
    [TestCase("a_b-C.9", true)]
    [TestCase("", false)]
    [TestCase("-a", false)]
    [TestCase("a b", false)]
    [TestCase("/a", false)]
    [TestCase("a/", false)]
    [TestCase("a/b/c", false)]
    public void Keys_are_those_of_Kubernetes(string key, bool right) => Assert.That(LabelSyntax.IsKey(key), Is.EqualTo(right));

    private static Address Read(string text) => Address.TryParse(text, out Address address) ? address : throw new System.FormatException(text);
}
