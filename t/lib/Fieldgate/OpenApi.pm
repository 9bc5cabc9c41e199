package Fieldgate::OpenApi;

# What an answer has that its OpenAPI file does not say, and the other way
# around: a list of texts, empty if they agree.
#
#   differs($api, $value, $schema, 'where')

use strict;
use warnings;

use Exporter 'import';
use JSON::PP ();

our @EXPORT_OK = qw(differs);

my $json = JSON::PP->new->utf8;


sub differs {
    my ($api, $value, $schema, $where) = @_;
    if (my $ref = $schema->{'$ref'}) {
        $schema = $api->{components}{schemas}{$ref =~ s{.*/}{}r};
    }
    my %type = map { $_ => 1 }
               ref $schema->{type} ? @{$schema->{type}} : $schema->{type};
    my $type = !defined $value ? 'null'
             : JSON::PP::is_bool($value) ? 'boolean'
             : ref $value eq 'HASH' ? 'object'
             : ref $value eq 'ARRAY' ? 'array'
             : $json->encode([$value]) =~ /^\["/ ? 'string'
             : $value =~ /^-?\d+\z/ ? 'integer' : 'number';

    return "$where: is $type"
        if !$type{$type} && !($type eq 'integer' && $type{number});
    return "$where: is $value"
        if $schema->{enum} && !grep { $_ eq $value } @{$schema->{enum}};

    if ($type eq 'array') {
        return map { differs($api, $_, $schema->{items}, "$where\[]") } @$value;
    }
    return () if $type ne 'object';

    my $known = $schema->{properties} // {};
    my $more = $schema->{additionalProperties};
    return ((map { "$where.$_: is missing" }
             grep { !exists $value->{$_} && !$known->{$_}{'x-with'} }
             sort keys %$known),
            map { my $s = $known->{$_} // (ref $more ? $more : undef);
                  $s ? differs($api, $value->{$_}, $s, "$where.$_")
                     : "$where.$_: is unknown" } sort keys %$value);
}

1;
